package daemon

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/internal/fontfile"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/writing"
)

// fontsFor is how long the list of the machine's fonts is good.
const fontsFor = 10 * time.Minute

// machineFonts is the list of the machine's fonts, which is long in the making.
type machineFonts struct {
	mu       sync.Mutex
	families []api.FontFamily
	until    time.Time
}

var fontsHere machineFonts // of the machine, whoever asks

// Fonts implements api.Trials.
func (d trials) Fonts(ctx context.Context) ([]api.FontFamily, error) {
	fontsHere.mu.Lock()
	defer fontsHere.mu.Unlock()
	if time.Now().Before(fontsHere.until) {
		return fontsHere.families, nil
	}
	tool, err := exec.LookPath("fc-list")
	if err != nil {
		return nil, problem.New(problem.Surroundings, "the machine's fonts are not known: there is no fc-list").WithHint("apt-get install fontconfig")
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, tool, "--format", `%{family[0]}\t%{style[0]}\t%{weight}\t%{slant}\t%{file}\t%{index}\n`).Output()
	if err != nil {
		return nil, problem.New(problem.Surroundings, "the machine's fonts are not known: %w", err)
	}
	fontsHere.families, fontsHere.until = familiesOf(out), time.Now().Add(fontsFor)
	return fontsHere.families, nil
}

// familiesOf reads what fc-list lists.
func familiesOf(list []byte) []api.FontFamily {
	type face struct {
		file  string
		index int
	}
	families, faces := map[string]*api.FontFamily{}, map[string]face{}
	for lines := bufio.NewScanner(bytes.NewReader(list)); lines.Scan(); {
		cells := strings.Split(lines.Text(), "\t")
		if len(cells) != 6 || cells[0] == "" {
			continue
		}
		family := families[cells[0]]
		if family == nil {
			family = &api.FontFamily{Family: cells[0], Origin: "machine", Styles: []api.FontStyle{}, Scripts: []string{}}
			families[cells[0]] = family
			index, _ := strconv.Atoi(cells[5])
			faces[cells[0]] = face{cells[4], index & 0xffff} // above it are instances of fonts that vary
		}
		style := api.FontStyle{Style: cells[1], Weight: weightOfCSS(cells[2]), Italic: cells[3] != "0"}
		if !slices.Contains(family.Styles, style) {
			family.Styles = append(family.Styles, style)
		}
	}
	all := make([]api.FontFamily, 0, len(families))
	for name, family := range families {
		family.Scripts = scriptsOfFile(faces[name].file, faces[name].index)
		slices.SortFunc(family.Styles, func(a, b api.FontStyle) int {
			return cmp.Or(cmp.Compare(a.Weight, b.Weight), cmp.Compare(a.Style, b.Style))
		})
		all = append(all, *family)
	}
	slices.SortFunc(all, func(a, b api.FontFamily) int { return cmp.Compare(a.Family, b.Family) })
	return all
}

// weightOfCSS is a weight of fontconfig in CSS, or a range of both.
func weightOfCSS(text string) string {
	one := func(text string) string {
		w, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return "400"
		}
		for _, step := range []struct {
			most float64
			css  string
		}{{20, "100"}, {45, "200"}, {65, "300"}, {90, "400"}, {140, "500"}, {190, "600"}, {202, "700"}, {207, "800"}} {
			if w < step.most {
				return step.css
			}
		}
		return "900"
	}
	from, to, varies := strings.Cut(strings.Trim(text, "[]"), " ")
	if !varies {
		return one(from)
	}
	return one(from) + " " + one(to)
}

func scriptsOfFile(path string, index int) []string {
	file, err := os.Open(path)
	if err != nil {
		return []string{}
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return []string{}
	}
	f, err := fontfile.ReadAt(file, info.Size(), index)
	if err != nil {
		return []string{}
	}
	return writing.Covered(f.Has)
}
