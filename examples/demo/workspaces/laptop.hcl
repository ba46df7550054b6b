workspace "laptop" {
  serve "tiny-llama" {
    port = 24001
  }
}
