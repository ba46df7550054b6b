# One profile per kind of GPU; a longer list is in configs/profiles.hcl.
profile "constrained_16gb" {
  backend "vllm" {
    args = {
      gpu_memory_utilization = 0.80
      enforce_eager          = true
      kv_cache_dtype         = "fp8"
      max_num_seqs           = 8
    }
  }
}

profile "shared_80gb" {
  backend "vllm" {
    args = { max_num_seqs = 64 }
  }
}
