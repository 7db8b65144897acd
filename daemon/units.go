package daemon

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"sync"
	"time"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/experiment"
)

const (
	// unitCacheLimit is how many units are remembered, at about 250 bytes each.
	// Whoever comes with more has them looked up.
	unitCacheLimit = 100_000

	unitSignature = 22 // characters of it: 132 bits
	writeKeyHead  = "wk_"
	defaultFormat = "png"
)

// unitKeys sign the units in addresses, and are what write keys are made of.
type unitKeys struct{ unit, write []byte }

func newUnitKeys(secret string) unitKeys {
	derived := func(label string) []byte { return mac([]byte(secret), label) }
	return unitKeys{unit: derived("pictifyd/experiment/unit"), write: derived("pictifyd/experiment/write")}
}

func mac(key []byte, message string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(message))
	return h.Sum(nil)
}

// sign is the signature of a unit of an experiment.
func (k unitKeys) sign(experiment, unit string) string {
	return base64.RawURLEncoding.EncodeToString(mac(k.unit, "pictifyd/unit/1\n"+experiment+"\n"+unit))[:unitSignature]
}

// signed reports whether signature is that of the unit.
func (k unitKeys) signed(experiment, unit, signature string) bool {
	return hmac.Equal([]byte(signature), []byte(k.sign(experiment, unit)))
}

// writeKey is what pages send with the events of an experiment.
func (k unitKeys) writeKey(experiment string) string {
	return writeKeyHead + base64.RawURLEncoding.EncodeToString(mac(k.write, "pictifyd/write/1\n"+experiment))
}

func (k unitKeys) mayWrite(experiment, key string) bool {
	return hmac.Equal([]byte(key), []byte(k.writeKey(experiment)))
}

// writeKey is the key by which pages send events of e.
func (d *Daemon) writeKey(e experiment.Experiment) string { return d.exhibit.keys.writeKey(e.ID) }

// unitURLs are the signed addresses of a unit.
func (d *Daemon) unitURLs(e experiment.Experiment, unit string) api.UnitURLs {
	at := d.urls.base + "/s/" + e.Slug + "/" + url.PathEscape(unit)
	signature := "?sig=" + d.exhibit.keys.sign(e.ID, unit)
	of := api.UnitURLs{Image: at + "." + formatOf(e) + signature, Pixel: at + "/pixel.gif" + signature}
	if e.Goal.DestinationURL != "" {
		of.Click = at + "/click" + signature
	}
	return of
}

// formatOf is the extension of the images of e.
func formatOf(e experiment.Experiment) string {
	switch e.Output.Format {
	case "":
		return defaultFormat
	case "jpeg":
		return "jpg"
	}
	return e.Output.Format
}

// A unitCache remembers the assignments of units that came lately, in bounded memory.
// An assignment does not change but by what passes through here.
type unitCache struct {
	limit int

	mu         sync.Mutex
	young, old map[unitKey]knownUnit // one that is used stays with the young
}

// A unitKey stands for the experiment and the unit.
type unitKey [16]byte

// A knownUnit is what is remembered of an assignment.
type knownUnit struct {
	variant, channel string
	at               time.Time
	exposed          bool
	place            experiment.Place
}

func newUnitCache(limit int) *unitCache {
	return &unitCache{limit: max(limit/2, 1), young: map[unitKey]knownUnit{}}
}

func keyOfUnit(experiment, unit string) unitKey { return sum(experiment + "\n" + unit) }

func (c *unitCache) get(experiment, unit string) (knownUnit, bool) {
	k := keyOfUnit(experiment, unit)
	c.mu.Lock()
	defer c.mu.Unlock()
	one, ok := c.young[k]
	if !ok {
		if one, ok = c.old[k]; ok {
			c.add(k, one)
		}
	}
	return one, ok
}

func (c *unitCache) put(a experiment.Assignment) knownUnit {
	one := knownUnit{a.Variant, a.Channel, a.At, !a.ExposedAt.IsZero(), a.Place}
	k := keyOfUnit(a.Experiment, a.Unit)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(k, one)
	return one
}

// learn remembers what was read of a, unless something newer is there.
func (c *unitCache) learn(a experiment.Assignment) knownUnit {
	if one, ok := c.get(a.Experiment, a.Unit); ok {
		return one
	}
	return c.put(a)
}

// forget is for a unit that was erased.
func (c *unitCache) forget(experiment, unit string) {
	k := keyOfUnit(experiment, unit)
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.young, k)
	delete(c.old, k)
}

// add is called inside the lock.
func (c *unitCache) add(k unitKey, one knownUnit) {
	if len(c.young) >= c.limit {
		if _, there := c.young[k]; !there {
			c.young, c.old = map[unitKey]knownUnit{}, c.young
		}
	}
	c.young[k] = one
	delete(c.old, k)
}

// size is how many are remembered.
func (c *unitCache) size() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.young) + len(c.old)
}
