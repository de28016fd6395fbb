"""The grammars that write every sample of mixtral-nano: instructions, word problems, programs."""
