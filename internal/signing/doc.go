// Package signing makes the signatures by which others know that a message or
// an address comes from us: Standard Webhooks, the older t=…,v1=… header, and
// signed URLs. It keeps no secret; it is given them.
package signing
