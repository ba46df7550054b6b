# The Ollama service is somebody else's: Loadout does not start it. It makes a
# model of its own from the tag, with the parameters below, and keeps it loaded.
backend "ollama" {
  url = "http://127.0.0.1:11434"
}

model "chat" {
  source     = "ollama://qwen3:8b"
  backend    = "ollama"
  keep_alive = "2h"

  args = {
    num_ctx = 16384
    num_gpu = 99
  }

  generation = { temperature = 0.6, top_p = 0.95, top_k = 20 }
}
