"""The actions of CM's command line: `ACTION AUTOMATION …`, one module per kind of automation."""
