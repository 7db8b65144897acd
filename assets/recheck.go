package assets

import "context"

// Recheck asks again for the bytes of url, which has a pin, and returns the pin
// as it is now: with another digest when others came. The server is asked with
// what it called the bytes, and may answer that they are the same. An answer
// that is no usable file changes nothing: the bytes that are there stay, and
// the failure is that of Fetch. An address without a pin is fetched.
func (l *Library) Recheck(ctx context.Context, url, scope string) (Pin, error) {
	u, err := parseAddress(url)
	if err != nil {
		return Pin{}, err
	}
	known, pinned, err := l.pinned(ctx, u.String())
	if err != nil {
		return Pin{}, err
	}
	if !pinned {
		return l.Fetch(ctx, url, scope)
	}
	if err := l.past(u, scope); err != nil {
		return Pin{}, err
	}
	return l.attempt(ctx, u, scope, "again "+known.Address, func() (Pin, error) { return l.request(ctx, u, known) })
}
