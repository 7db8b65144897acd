package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/pictifyd/pictifyd/daemon"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// folderFlags name templates of a folder.
type folderFlags struct {
	Dir   string   `arg:"" placeholder:"DIR" help:"The folder of the templates."`
	Names []string `arg:"" optional:"" name:"NAME" help:"The templates; without any, all."`
	JSON  bool     `help:"Print JSON." name:"json"`
}

type lintCommand struct {
	folderFlags
}

func (c *lintCommand) Run(t *terminal) error {
	reports, err := daemon.LintTemplates(c.Dir, c.Names)
	if err != nil {
		return err
	}
	if c.JSON {
		err = json.NewEncoder(t.out).Encode(map[string]any{"templates": reports})
	}
	fatal, warnings := 0, 0
	for _, r := range reports {
		for _, f := range r.Findings {
			kind := "warning"
			if f.Fatal {
				kind = "error"
				fatal++
			} else {
				warnings++
			}
			if !c.JSON {
				fmt.Fprintf(t.out, "%s: %s: %v [%s]\n", r.Template, kind, f.Error, f.Kind())
			}
		}
	}
	if fatal > 0 {
		return problem.New(problem.Invalid, "%s", keptFromUse(fatal))
	}
	if !c.JSON {
		fmt.Fprintf(t.out, "%s, %s\n", count(len(reports), "template"), count(warnings, "warning"))
	}
	return err
}

func keptFromUse(findings int) string {
	if findings == 1 {
		return "1 of the findings keeps its template from being used"
	}
	return fmt.Sprintf("%d of the findings keep templates from being used", findings)
}

type proofCommand struct {
	folderFlags
	Update bool   `help:"Make the pictures the golden ones."`
	Out    string `default:"golden-failures" placeholder:"DIR" help:"Where got, want and difference of a failure go (${default})."`
	Chrome string `default:"auto" placeholder:"PATH" help:"The browser (${default})."`
}

func (c *proofCommand) Run(t *terminal) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	proof := daemon.NewProof(c.Dir, c.Names, log)
	proof.Update, proof.Out, proof.Render.Chrome = c.Update, c.Out, c.Chrome
	if !c.JSON {
		proof.EachFunc = func(r daemon.ProofResult) { printProof(t, r) }
	}
	results, err := proof.Run(ctx)
	failed := 0
	for _, r := range results {
		if r.Err != nil {
			failed++
		}
	}
	if c.JSON {
		if encodeErr := json.NewEncoder(t.out).Encode(map[string]any{"pictures": results}); encodeErr != nil {
			return encodeErr
		}
	}
	switch {
	case err != nil:
		return err
	case failed > 0:
		return problem.New(problem.Invalid, "%d of %d pictures are not as they should be", failed, len(results))
	}
	if !c.JSON {
		fmt.Fprintf(t.out, "%s without a fault\n", count(len(results), "picture"))
	}
	return nil
}

func printProof(t *terminal, r daemon.ProofResult) {
	for _, w := range r.Warnings {
		fmt.Fprintf(t.out, "%s %s: warning: %s\n", r.Template, r.Picture, w)
	}
	switch {
	case r.Err != nil:
		fmt.Fprintf(t.out, "%s %s: %v\n", r.Template, r.Picture, r.Err)
	case r.Written != "":
		fmt.Fprintf(t.out, "%s %s: wrote %s\n", r.Template, r.Picture, r.Written)
	}
}

// count is "1 picture", "2 pictures".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
