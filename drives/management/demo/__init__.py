"""The demo's data: two made-up organizations with donors, and past, present and upcoming drives."""
