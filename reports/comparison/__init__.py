"""Shows a comparison of audits: one HTML file, Markdown, and a table in the terminal."""
