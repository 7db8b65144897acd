// Package httpsink is the sink that sends a request of the user's shape for each
// event of a row: to a CRM, an image host, the purging API of a CDN.
//
// Texts of addresses, headers and bodies are templates with {{ }}; the leaves of
// json, form and multipart are expressions. No expression chooses a host. Pictures
// are streamed, with their length. The Idempotency-Key is the delivery's id, the
// same at every try.
//
// Statuses decide, then the expression expect. What is wrong with a request itself
// ends the delivery, and so do redirects; all else is tried again.
package httpsink
