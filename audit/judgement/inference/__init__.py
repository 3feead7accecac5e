"""How sure a change is, and about whom: intervals, tests, and what so many questions cost."""
