package bindings

import (
	"fmt"
	"regexp"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// An Output is one picture that is made of each row.
type Output struct {
	Name    string `yaml:"name"`    // default: the size, or the format where the size is the default one
	Size    string `yaml:"size"`    // one of the template's; default: its first
	Format  string `yaml:"format"`  // png, jpeg (jpg) or webp; default: png
	Quality int    `yaml:"quality"` // 1 to 100, for jpeg and webp; 0 is DefaultQuality
}

// formats are the words for a format, each with the one that is used inside.
var formats = map[string]string{"png": "png", "jpeg": "jpeg", "jpg": "jpeg", "webp": "webp"}

// formatNames are the formats for people.
var formatNames = []string{"png", "jpeg", "webp"}

// namePattern is what may stand in a path: names of bindings and outputs.
var namePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

const nameHint = "use 1 to 63 lower-case letters, digits and dashes, not a dash first"

// Outputs is outs with every default written out. No outputs are one PNG of the
// default size. The error is a problem.List whose paths begin with path.
func Outputs(outs []Output, path string) ([]Output, error) {
	if len(outs) == 0 {
		outs = []Output{{}}
	}
	var problems problem.List
	full := make([]Output, len(outs))
	places := map[string]int{}
	for i, o := range outs {
		at := fmt.Sprintf("%s[%d]", path, i)
		problems = append(problems, o.complete(at)...)
		if first, twice := places[o.Name]; twice {
			problems = append(problems, problem.New(problem.Invalid, "%s[%d] is also named %q", path, first, o.Name).
				At(at+".name").WithHint("give each output a name of its own"))
		}
		places[o.Name] = i
		full[i] = o
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return full, nil
}

// complete writes the defaults into o and returns what is wrong with it.
func (o *Output) complete(at string) (problems problem.List) {
	if o.Format == "" {
		o.Format = "png"
	}
	format, known := formats[o.Format]
	if !known {
		p := problem.New(problem.Invalid, "there is no format %q", o.Format).At(at + ".format")
		problems = append(problems, suggest(p, o.Format, formatNames, "formats"))
		format = o.Format
	}
	if o.Quality < 0 || o.Quality > 100 {
		problems = append(problems, problem.New(problem.Invalid, "the quality %d is not between 1 and 100", o.Quality).At(at+".quality"))
	}
	o.Format, o.Quality = encoding(format, o.Quality)
	if o.Size == "default" {
		o.Size = ""
	}
	if o.Name == "" {
		o.Name = o.Size
	}
	if o.Name == "" {
		o.Name = o.Format
	}
	if known && !namePattern.MatchString(o.Name) {
		problems = append(problems, problem.New(problem.Invalid, "an output can't be named %q", o.Name).
			At(at+".name").WithHint(nameHint))
	}
	return problems
}
