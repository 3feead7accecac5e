"""What happens under corruption, natural shift, noise and attack, and how sure models are then."""
