// Package egress is the one guarded dialer: whatever a row or a caller of the
// API makes the daemon reach, it reaches through a Guard.
//
// A name is resolved once, every address that it resolves to is judged, and the
// connection goes to an address that was judged, never to the name again. So an
// answer that changes between check and use (DNS rebinding) changes nothing,
// and a redirect is judged like a first request, because it is dialled like one.
//
// The ranges come from code.dny.dev/ssrf, which generates them from the IANA
// special-purpose registries and, for IPv6, refuses all that is not global
// unicast. Its hook for net.Dialer is not used: it sees the address without the
// name, and here the operator may allow a name.
//
// With a proxy of the operator's the connection is the proxy's, and so is the
// last word on names: see Config.Proxy.
//
// Addresses in the operator's own file do not come here: he may name what he likes.
package egress
