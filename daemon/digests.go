package daemon

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/sink"
)

// sectionDigests tell which sections of two configurations differ.
func sectionDigests(root config.Node) map[string]string {
	digests := map[string]string{}
	for _, name := range root.Keys() {
		section, _ := root.Child(name)
		if name == "server" {
			keys, _ := section.Child("keys")
			digests["server.keys"] = "none"
			if len(keys.Items()) > 0 {
				digests["server.keys"] = "some"
			}
			section = section.Without("keys", "origins", "url_keys", "webhook_secret", "webhook_secret_file", "previous_webhook_secret", "previous_webhook_secret_file")
		}
		if name == "store" {
			section = section.Without("seal_key", "seal_key_file", "previous_seal_key", "previous_seal_key_file")
			if len(section.Keys()) == 0 { // the same as no section
				continue
			}
		}
		digests[name] = section.Digest()
	}
	return digests
}

// digest is that of a binding; "" where there is none.
func (s *Settings) digest(binding string) string {
	node, ok := s.nodes[binding]
	if !ok {
		return ""
	}
	return node.Digest()
}

// contentDigest is that of a file's bytes.
func contentDigest(src []byte) string {
	sum := sha256.Sum256(src)
	return hex.EncodeToString(sum[:])
}

// sourceDigest is that of a source; "" where there is none.
func (s *Settings) sourceDigest(name string) string {
	for _, x := range s.Sources {
		if x.Name == name {
			return x.digest
		}
	}
	return ""
}

// sinkDigest is that of a sink; "" where there is none.
func (s *Settings) sinkDigest(name string) string {
	for _, x := range s.Sinks {
		if x.Name == name {
			return x.digest
		}
	}
	return ""
}

// sinkPlan tells whether a sink is the same in two configurations, with the source
// that it writes to.
func (s *Settings) sinkPlan(of Sink) string {
	plan := s.sinkDigest(of.Name)
	if sourced, ok := of.Config.(sink.Sourced); ok {
		plan += " " + s.sourceDigest(sourced.SourceName())
	}
	return plan
}
