package daemon

import (
	"os"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
)

// A LintReport is what lint has to say about one template.
type LintReport struct {
	Template string             `json:"template"`
	Findings []template.Finding `json:"findings"`
}

// LintTemplates looks at templates of a folder, all of them where names has none.
func LintTemplates(dir string, names []string) ([]LintReport, error) {
	fsys := os.DirFS(dir)
	if len(names) == 0 {
		var err error
		if names, err = listTemplates(dir); err != nil {
			return nil, err
		}
	}
	var reports []LintReport
	for _, name := range names {
		src, files, err := template.Load(fsys, name)
		if err != nil {
			return nil, err
		}
		report := LintReport{Template: name, Findings: []template.Finding{}}
		rows, err := template.LoadRows(fsys, name)
		for _, p := range problem.All(err) {
			report.Findings = append(report.Findings, template.Finding{Error: p, Fatal: true})
		}
		report.Findings = append(report.Findings, template.Lint(name, src, contentDigests(files), rows)...)
		reports = append(reports, report)
	}
	return reports, nil
}
