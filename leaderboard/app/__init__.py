"""The board as a Gradio app: a Space of its own, read by nothing else here."""
