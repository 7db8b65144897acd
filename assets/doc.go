// Package assets fetches, checks, keeps and serves the bytes that a page refers
// to: remote images, and the images and fonts of a template. The browser
// reaches nothing else.
//
// A remote address is fetched once and pinned: from then on it stands for those
// bytes, so that a render can be repeated, until Recheck finds others. An
// address that fails is tried once per scope (a batch, a reading), not once per
// row. Bytes are judged by what they are, never by what a server calls them.
//
// The package knows neither rows nor templates nor the browser. What may be
// reached is decided by the HTTP client that it is given.
package assets
