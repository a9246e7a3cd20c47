"""The commands, by what they are about; `tirtha.cli.app` joins them."""
