# One block for a fleet of small models, each on a GPU of its own.
locals {
  fleet = {
    en = { source = "hf://Qwen/Qwen2.5-7B-Instruct-AWQ", gpu = "0", length = 8192 }
    de = { source = "hf://mistralai/Mistral-7B-Instruct-v0.3", gpu = "1", length = 8192 }
    ja = { source = "hf://Qwen/Qwen3-8B-AWQ", gpu = "2", length = 16384 }
  }

  # Ports by the order of the keys: 24001, 24002, 24003.
  ports = { for i, key in keys(local.fleet) : key => 24001 + i }
}

backend "vllm" {
  args = { max_num_seqs = 16 }
}

model "translator" {
  for_each = local.fleet
  name     = "translator-${each.key}"
  source   = each.value.source
  backend  = "vllm"
  aliases  = ["translate/${each.key}"]
  args     = { max_model_len = each.value.length }
}
