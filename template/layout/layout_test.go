package layout_test

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/template/layout"
)

func TestDigestIsThatOfTheScript(t *testing.T) {
	sum := sha256.Sum256([]byte(layout.Script))
	if want := hex.EncodeToString(sum[:]); layout.Digest != want || layout.Script == "" {
		t.Errorf("digest is %q, want %q", layout.Digest, want)
	}
}

// In a page that nobody looks at timers and frames may never come, and what the
// script does must depend on nothing but the page.
func TestScriptWaitsForNothingAndAsksNobody(t *testing.T) {
	for _, word := range []string{
		"setTimeout", "setInterval", "requestAnimationFrame", "requestIdleCallback", "fetch(", "XMLHttpRequest", "import ", "import(",
		"Math.random", "Date.", "new Date", "performance.", "eval(", "localStorage",
	} {
		if strings.Contains(layout.Script, word) {
			t.Errorf("the script has %q", word)
		}
	}
}
