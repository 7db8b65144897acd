// Package mcp lets a user's agent work with pictifyd by the Model Context Protocol:
// tools to read and edit templates, to look at pictures, to start and watch batches
// and to find out why an image looks as it does.
//
//	agent ─▶ tool ─▶ one or a few requests of the HTTP API, with the caller's own key ─▶ answer
//
// It has no way into pictifyd but that API, so that scopes, limits, idempotency and
// errors are the API's. It keeps nothing between two calls: over HTTP there is no
// session that could be taken over, or outlive the key that began it.
package mcp
