# Profiles for common GPUs. Copy this file (or link to it) into the directory of
# your configuration and name one in the workspace:
#
#   workspace "rtx4080" {
#     profile = "constrained_16gb"
#   }
#
# A profile wins over the model blocks; a serve block wins over the profile, and
# null in it unsets what the profile sets. Only vLLM is told anything here.

# One card of 16 GB, often with a desktop on it.
profile "constrained_16gb" {
  backend "vllm" {
    args = {
      # vLLM stops at the start when less than this share is free. A desktop and
      # the driver take 1 to 2.5 GiB, so 0.85 fails by a few MiB now and then.
      gpu_memory_utilization = 0.80
      # No CUDA graphs: 0.5 to 1 GiB more for the KV cache, slower decoding.
      enforce_eager = true
      # One byte per value: twice as many tokens in the same memory. Where the card
      # or the model does not support it, set null in the serve block.
      kv_cache_dtype = "fp8"
      # Requests at once. Buffers for sampling grow with it.
      max_num_seqs = 8
    }
  }
}

# One card of 24 GB.
profile "balanced_24gb" {
  backend "vllm" {
    args = {
      # Leaves 2.4 GB for the driver and small programs.
      gpu_memory_utilization = 0.90
      # Fewer requests at once need fewer and smaller CUDA graphs.
      max_num_seqs = 32
    }
  }
}

# Two equal cards of 16 GB, one model on both. The serve block names both GPUs.
profile "multi_gpu_2x16gb" {
  backend "vllm" {
    args = {
      # Half of the weights and of the KV cache on each card. The number of
      # attention heads must be even.
      tensor_parallel_size = 2
      # The cards talk through NCCL, which takes 0.5 to 1 GiB on each.
      gpu_memory_utilization = 0.85
      max_num_seqs           = 16
    }
  }
}

# One card of 80 to 96 GB without a display.
profile "generous_96gb" {
  backend "vllm" {
    args = {
      # vLLM's own 0.92 leaves more than the driver of a card of this size needs.
      gpu_memory_utilization = 0.95
      # Memory is there for many requests; the KV cache sets the real limit.
      max_num_seqs = 256
    }
  }
}

# A laptop or a shared card: start soon, take little.
profile "development" {
  backend "vllm" {
    args = {
      # Ready earlier: nothing is captured at the start.
      enforce_eager = true
      # vLLM fills its share however small the model is; leave half to others.
      gpu_memory_utilization = 0.50
      max_num_seqs           = 2
      # The KV cache must hold one request of this length.
      max_model_len = 2048
    }
  }
}
