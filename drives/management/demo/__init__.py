"""The demo's data: two made-up organizations with donors, and drives in the past, today and ahead."""
