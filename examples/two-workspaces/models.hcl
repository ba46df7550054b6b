# What exists, for both hosts. Each workspace says what it serves and how.
backend "vllm" {
  env = { HF_HUB_OFFLINE = "1" }
}

model "captioner" {
  source       = "hf://Qwen/Qwen2.5-VL-7B-Instruct-AWQ"
  backend      = "vllm"
  roles        = { caption = 95, narration = 90 }
  capabilities = { vision = true }

  args = {
    max_model_len       = 16384
    limit_mm_per_prompt = { image = 2, video = 0 }
  }
}

model "coder" {
  source  = "hf://Qwen/Qwen2.5-Coder-32B-Instruct-AWQ"
  backend = "vllm"
  roles   = { code = 90 }
  args    = { max_model_len = 32768 }
}
