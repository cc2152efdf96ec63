"""The demo's data: two made-up organizations, their people, and drives in the past, today and ahead."""
