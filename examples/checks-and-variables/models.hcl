backend "vllm" {
  env = { VLLM_API_KEY = var.api_key }
}

model "chat" {
  source  = "file://${var.weights}/Qwen2.5-7B-Instruct"
  backend = "vllm"
  aliases = ["chat/default"]
  roles   = { chat = 90 }
  license = "apache-2.0"
  args    = { max_model_len = var.context }
}

model "chat-next" {
  source  = "file://${var.weights}/Qwen3-8B"
  backend = "vllm"
  roles   = { chat = 10 }
  license = "apache-2.0"
  testing = true
  args    = { max_model_len = var.context }
}
