"""Where bars come from: one module per source, each behind the `BarSource` port."""
