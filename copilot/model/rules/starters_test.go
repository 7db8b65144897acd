package rules_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/template/starter"
)

// The three phrases, in each language that they are understood in, are the same
// calls on every starter: names of layers and tokens must not stand in their way.
func TestPhrasesOnEveryStarter(t *testing.T) {
	said := map[string][]string{
		"tokenize_colors":      {"Make a dark-mode variant", "Mach eine dunkle Variante", "Haz una variante en modo oscuro", "Fais une variante en mode sombre"},
		"add_size":             {"resize this for Instagram Story", "Passe das für eine Instagram-Story an", "Redimensiona esto para una historia de Instagram", "Redimensionne ceci pour une story Instagram"},
		"generate_backgrounds": {"generate five backgrounds", "Erzeuge fünf Hintergründe", "Genera cinco fondos", "Génère cinq arrière-plans"},
	}
	for _, s := range starter.List() {
		for tool, messages := range said {
			for _, m := range messages {
				var r runner
				r.run(t, briefOf(t, s.Name, m))
				if len(r.log) == 0 || !strings.HasPrefix(r.log[0], tool+" ") || len(r.asked) > 0 {
					t.Errorf("%s: %s: %q, %s", s.Name, m, r.log, r.summary)
				}
			}
		}
	}
}

// What people ask of a layer finds one on every starter, or is a question with
// choices: never a guess.
func TestLayersOfEveryStarter(t *testing.T) {
	for _, s := range starter.List() {
		for _, m := range []string{"make the title red", "make the headline bold", "hide the logo", "remove the badge", "center the headline"} {
			var r runner
			r.run(t, briefOf(t, s.Name, m))
			edits := slices.DeleteFunc(slices.Clone(r.log), func(call string) bool {
				return strings.HasPrefix(call, "ask_user ") || strings.HasPrefix(call, "finish_step ")
			})
			if (len(edits) == 1) == (len(r.asked) > 0) || len(edits) > 1 {
				t.Errorf("%s: %s: %q, asked %q, %s", s.Name, m, edits, r.asked, r.summary)
			}
		}
	}
}

func TestQuestionsFitTheTool(t *testing.T) {
	for _, s := range starter.List() {
		for _, m := range []string{"make the thingamajig bold", "make the " + strings.Repeat("Donaudampfschifffahrtsgesellschaft", 40) + " bold", "change the title to '" + strings.Repeat("Ω ", 900) + "'"} {
			var r runner // which holds every call against its schema
			r.run(t, briefOf(t, s.Name, m))
		}
	}
}
