// Package openai speaks to any endpoint with OpenAI's chat completions: Ollama,
// vLLM, llama.cpp, LM Studio, hosted ones.
//
// They agree on less than their name says. Ids of calls are missing or come twice,
// arguments are an object in place of a text, calls stand in the text, every
// chunk has the index 0, usage is missing, a stream has no end. What can be
// understood is; what was cut off is an error and never half a reply.
package openai
