# What we serve. The same file works on a GPU host with vLLM; here
# rehearsal_override.hcl puts a stand-in in the place of vLLM.

variable "weights" {
  type        = string
  default     = "weights"
  description = "Folder with one directory per model."
}

backend "vllm" {
  command = ["vllm", "serve"]
  env     = { HF_HUB_OFFLINE = "1" }

  # Defaults for every model of this backend.
  args = {
    gpu_memory_utilization = 0.85
    max_model_len          = 1024
  }
}

model "tiny-llama" {
  source  = "file://${var.weights}/tiny-llama"
  backend = "vllm"
  aliases = ["chat/default"]
  roles   = { chat = 50 }

  args = {
    max_model_len     = 512
    enforce_eager     = true
    trust_remote_code = true
  }

  lifecycle {
    start_timeout = "2m"
  }
}

check "one_chat_default" {
  assert {
    condition     = length([for m in models : m.name if contains(m.aliases, "chat/default")]) == 1
    error_message = "Exactly one model must answer as chat/default."
  }
}
