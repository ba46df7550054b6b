# Defaults for every model that vLLM runs here.
backend "vllm" {
  env  = { HF_HUB_OFFLINE = "1" } # serve what is on the disk, download nothing
  args = { gpu_memory_utilization = 0.80 }
}

model "qwen2.5-7b" {
  source  = "hf://Qwen/Qwen2.5-7B-Instruct-AWQ"
  backend = "vllm"
  aliases = ["chat/default"]
  roles   = { chat = 80 }

  args = {
    max_model_len           = 8192
    enable_auto_tool_choice = true
    tool_call_parser        = "hermes"
  }

  generation = { temperature = 0.7, top_p = 0.8 }
}
