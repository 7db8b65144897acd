// Package anthropic speaks to Anthropic's models, and to endpoints that speak as
// they do, through the official SDK. Pictures stand in the results of tools, and
// what begins every conversation, the tools and the system prompt, is cached by
// the endpoint.
//
// The SDK is told all that it does: it reads no environment and no profile, and
// tries nothing again, since whoever asks knows better whether that makes sense.
package anthropic
