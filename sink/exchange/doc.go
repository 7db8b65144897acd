// Package exchange is one request to a receiver over HTTP and its answer, as
// sinks need them: bounded in time and in size, without redirects, and told
// without what is secret. What an answer means is the sink's to say.
package exchange
