package s3_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/sink/s3"
	"github.com/pictifyd/pictifyd/sink/sinktest"
)

// plain is a key as it stands in the row.
func plain(tb testing.TB, key string) string {
	tb.Helper()
	text, err := url.PathUnescape(key)
	if err != nil {
		return key
	}
	return text
}

// conforms asks the whole promise of a sink whose picture of a key is where at says.
func conforms(t *testing.T, change func(*s3.Config), at string) {
	sinktest.Run(t, func(tb testing.TB) sinktest.Subject {
		s := newStore(tb)
		var puts []string
		return sinktest.Subject{
			Sink: s.sink(change),
			Holds: func(key string) string {
				var hashes []string
				for _, name := range s.keys() {
					if text, err := url.PathUnescape(name); err == nil && text == strings.ReplaceAll(at, "KEY", plain(tb, key)) {
						hashes = append(hashes, sinktest.HashOf(s.get(name)))
					}
				}
				return strings.Join(hashes, " and ")
			},
			Effects: func(key string) (n int) {
				puts = append(puts, s.heard()...)
				for _, asked := range puts {
					if asked == "PUT "+strings.ReplaceAll(at, "KEY", key)+" 200" {
						n++
					}
				}
				return n
			},
			Break: func(f sinktest.Fault) (func(), bool) {
				switch f {
				case sinktest.Down:
					s.breaks(says(503, "SlowDown", "Please reduce your request rate."))
				case sinktest.Hung:
					s.breaks(hangs)
				default:
					return nil, false // people can mend whatever a bucket is ill with
				}
				return func() { s.breaks(nil) }, true
			},
		}
	})
}

func TestS3Conforms(t *testing.T) {
	conforms(t, nil, "KEY-card.png")
}

func TestS3WithAnAliasConforms(t *testing.T) {
	conforms(t, func(c *s3.Config) {
		c.Path, c.Alias = "objects/{{ key }}/{{ output }}-{{ hash }}.{{ ext }}", "now/{{ key }}.{{ ext }}"
	}, "now/KEY.png")
}
