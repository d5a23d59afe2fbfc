"""Bad input at every door: one module a door. What comes out is an answer or a documented error, soon and in bounds."""
