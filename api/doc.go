// Package api is pictifyd's HTTP door: a handler decodes a request, calls one
// room, and encodes its answer. What it needs of the rooms it declares in
// [Deps], in their own types.
//
// The way of a request: it gets an id; its Host and origin are judged; the
// seed product's dialect is rewritten by one table; the route's scope is asked
// of the key or session; the handler runs. A handler returns an error instead
// of writing one, and every error leaves as application/problem+json.
//
// A batch is accepted whole or not at all: its rows are staged as the body is
// decoded, and one commit at its end accepts them. A body that breaks off
// leaves nothing behind.
//
// The room knows no SQL, no browser and no file. It does not know which
// sources and sinks exist.
package api
