# One block for a fleet of small models, each on a GPU of its own. To add one,
# add a line. Ports are written out: counted by position, a new key would move
# the ports of its neighbors and restart them.
locals {
  fleet = {
    de = { source = "hf://mistralai/Mistral-7B-Instruct-v0.3", gpu = "1", port = 24002, length = 8192 }
    en = { source = "hf://Qwen/Qwen2.5-7B-Instruct-AWQ", gpu = "0", port = 24001, length = 8192 }
    ja = { source = "hf://Qwen/Qwen3-8B-AWQ", gpu = "2", port = 24003, length = 16384 }
  }
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
