# For rehearsals without a GPU: a stand-in that keeps vLLM's contract (arguments,
# log, readiness, answers, failures) and computes nothing. Delete this file to
# serve with the real vLLM.

backend "vllm" {
  command = ["loadout", "sim", "vllm", "serve"]
  env     = { LOADOUT_SIM_LOAD = "1500ms" }
}
