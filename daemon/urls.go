package daemon

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/sink"
)

// urls writes the addresses that pictifyd hands out.
type urls struct {
	base    string // public_url without a slash at its end
	signers *signers
}

// signers are the keys that sign addresses, at each moment.
type signers struct{ now atomic.Pointer[[]api.URLKey] }

func (s *signers) set(keys []api.URLKey) { s.now.Store(&keys) }

func (s *signers) all() []api.URLKey { return *s.now.Load() }

// secrets verify addresses that were handed out.
func (s *signers) secrets() (all []string) {
	for _, k := range s.all() {
		all = append(all, k.Secret.Reveal())
	}
	return all
}

// newest signs addresses that are handed out.
func (s *signers) newest() string { return s.all()[0].Secret.Reveal() }

// signersOf are the keys of a configuration, with those that were made and are kept.
func (d *Daemon) signersOf(ctx context.Context, cfg api.Config) ([]api.URLKey, error) {
	keys := slices.Clone(cfg.URLKeys)
	if len(keys) == 0 {
		keys = []api.URLKey{{Made: true}}
	}
	for i, k := range keys {
		if !k.Made {
			continue
		}
		secret, err := d.store.Setting(ctx, "url_key", newSecret)
		if err != nil {
			return nil, err
		}
		keys[i].Secret = config.NewSecret(secret)
	}
	return keys, nil
}

// Image is the immutable URL of the bytes with that hash.
func (u urls) Image(hash, ext string) string { return u.base + "/images/" + hash + "." + ext }

// Latest is the shortest URL under which the newest picture of an output of a
// binding's row is served, signed where the binding is not public. key is in its
// canonical form, which is that of a path.
func (u urls) Latest(b bindings.Config, key string, o sink.Output) string {
	file := key + "." + o.Ext
	if !isFirst(b, o) {
		file = key + "/" + url.PathEscape(o.Name) + "." + o.Ext
	}
	path := "/b/" + url.PathEscape(b.Name) + "/" + file
	if !b.Public {
		path = api.SignPath(path, u.signers.newest())
	}
	return u.base + path
}

// isFirst reports whether o is the first output of b with its extension.
func isFirst(b bindings.Config, o sink.Output) bool {
	outputs, _ := bindings.Outputs(b.Outputs, "outputs") // what is wrong was refused when the file was read
	for _, other := range outputs {
		if format, _ := render.ParseFormat(other.Format); format.Ext() == o.Ext {
			return other.Name == o.Name
		}
	}
	return true
}

// addressed are outputs with where their pictures are.
func (d *Daemon) addressed(binding, key string, outputs []sink.Output) []sink.Output {
	b := d.roster().binding(binding)
	for i, o := range outputs {
		if o.Hash == "" {
			continue
		}
		outputs[i].URL = d.urls.Image(o.Hash, o.Ext)
		if b.Name != "" {
			outputs[i].Latest = d.urls.Latest(b, key, o)
		}
	}
	return outputs
}

// OfJob is the signed address of a file of a job, good until expires.
func (u urls) OfJob(job, file string, expires time.Time) string {
	return u.base + api.SignPath(api.JobPath(job, file, expires), u.signers.newest())
}

// publicBase is where pictifyd is reached, as the configuration says or as it listens.
func publicBase(c api.Config, listens string) string {
	switch {
	case c.PublicURL != "":
		return strings.TrimRight(c.PublicURL, "/")
	case c.TLS.On():
		return "https://" + listens
	}
	return "http://" + listens
}
