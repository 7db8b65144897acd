package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/render/chrome"
	"github.com/pictifyd/pictifyd/store/blob"
)

// A Health is what a sign is a sign of.
type Health string

// The healths. Only what is missing keeps pictures from being made, or from
// being right.
const (
	Well    Health = "ok"
	Warn    Health = "warn"
	Missing Health = "missing"
)

// A Sign is one thing that was looked at on this machine.
type Sign struct {
	Name   string `json:"name"`
	Health Health `json:"health"`
	Says   string `json:"says"`         // what there is, or what is wrong
	Do     string `json:"do,omitempty"` // about it
}

// defaultConfig is the file that commands read where none is named.
const defaultConfig = "pictifyd.yaml"

// doctorLimit is how long Chrome may take for everything that it is asked.
const doctorLimit = 90 * time.Second

// A Doctor looks at the machine that pictifyd is to run on.
type Doctor struct {
	Config string // the configuration; "" is pictifyd.yaml if there is one, else none
	Log    *slog.Logger
}

// Examine looks at everything, and leaves all as it was: what it puts into a bucket
// of images it removes. The error is that of a
// configuration which cannot be read; all else is a sign.
func (d Doctor) Examine(ctx context.Context) ([]Sign, error) {
	s, signs, err := d.settings()
	if err != nil {
		return nil, err
	}
	signs = append(signs, d.chromeSigns(ctx, s.Render)...)
	signs = append(signs, machineSigns(s)...)
	return append(signs, bucketSigns(ctx, s)...), nil
}

// machineSigns are those for which no Chrome is needed.
func machineSigns(s *Settings) []Sign {
	signs := []Sign{memorySign(sharedMemory), templatesSign(absolute(s.Dir, s.Templates.Path))}
	for _, f := range s.dataFolders() {
		signs = append(signs, diskSign(f))
	}
	signs = append(signs, certificateSigns(s.Server.TLS, time.Now())...)
	return append(signs, clockSigns(time.Now(), time.LoadLocation, os.Getenv("TZ"))...)
}

// settings are those of the configuration; of one with problems, as far as they
// are known.
func (d Doctor) settings() (*Settings, []Sign, error) {
	sign := Sign{Name: "configuration", Health: Well}
	path := d.Config
	if path == "" {
		if _, err := os.Stat(defaultConfig); errors.Is(err, fs.ErrNotExist) {
			doc := defaults()
			sign.Says = "there is no " + defaultConfig + " here, the defaults were looked at"
			return &Settings{Dir: ".", Store: doc.Store, Blobs: doc.Blobs, Render: doc.Render, Templates: doc.Templates}, []Sign{sign}, nil
		}
		path = defaultConfig
	}
	s, err := Load(path)
	if s == nil {
		return nil, nil, err
	}
	sign.Says = path
	if problems := problemsOf(err); len(problems) > 0 {
		sign = Sign{sign.Name, Missing, fmt.Sprintf("%s, the first: %v", count(len(problems), "problem"), problems[0]), "pictifyd check -c " + path + " shows all of them"}
	}
	return s, []Sign{sign}, nil
}

// chromeSigns are those of Chrome, its sandbox, and the scripts that it has fonts
// for.
func (d Doctor) chromeSigns(ctx context.Context, cfg chrome.Config) []Sign {
	ctx, cancel := context.WithTimeout(ctx, doctorLimit)
	defer cancel()
	path, err := chrome.Find(cfg.Chrome)
	if err != nil {
		return append([]Sign{signOf("Chrome", err)}, listedScripts(ctx)...)
	}
	cfg.Browsers = "1"
	pool, err := chrome.Open(ctx, cfg, noFiles{}, chrome.Options{Log: d.Log})
	if err != nil {
		return append(notStarted(path, err), listedScripts(ctx)...)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		_ = pool.Close(ctx) // its processes are gone in any case
	}()
	drawn := drawnScripts(ctx, pool) // by a tab that stays open, with a renderer to look at
	status := pool.Status()[0]
	signs := []Sign{
		{Name: "Chrome", Health: Well, Says: fmt.Sprintf("%s at %s, as %s, draws", status.Version, path, ownerOf(status.PID))},
		sandboxSign(cfg.Sandbox, status.PID, chrome.LookAtSandbox),
		lanesSign(pool.Lanes()),
	}
	return append(signs, drawn...)
}

// lanesSign says in which lanes Chrome draws here.
func lanesSign(s chrome.LaneStatus) Sign {
	if s.Staged {
		return Sign{Name: "lanes", Health: Well, Says: "plain, and staged: several pages at a time in canvases"}
	}
	return Sign{"lanes", Warn, "plain only: images take two to five times as long as they could",
		"install a newer chromium-headless-shell (156 has it), and take render.lane: plain out if it is there"}
}

// bucketLimit is how long the store of a bucket may take for everything that it is
// asked.
const bucketLimit = 30 * time.Second

// bucketSigns are those of the images, where they are in a bucket.
func bucketSigns(ctx context.Context, s *Settings) []Sign {
	where, err := probeBlobs(ctx, s, bucketLimit)
	switch {
	case err != nil:
		return []Sign{signOf("images", err)}
	case where == "":
		return nil
	}
	return []Sign{{Name: "images", Health: Well, Says: where + ", bytes can be put, read, listed and removed"}}
}

// probeBlobs tries the bucket of images within a limit, and says where it is; "" of
// a folder.
func probeBlobs(ctx context.Context, s *Settings, limit time.Duration) (where string, err error) {
	if !s.Blobs.IsBucket() || s.Blobs.Validate() != nil { // the configuration's problems are said already
		return "", nil
	}
	images, err := blob.OpenBucket(s.Blobs, s.Dir)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err = errors.Join(images.Probe(ctx), images.Close())
	if ctx.Err() != nil {
		err = problem.New(problem.Timeout, "%s gave no answer within %s", images.Where(), limit).WithHint("see that the store runs, and that endpoint and region are right")
	}
	return images.Where(), err
}

// sandboxSign is what the renderers of the Chrome of process pid are seen in.
func sandboxSign(setting string, pid int, look func(pid int) (chrome.Sandbox, error)) Sign {
	seen, err := look(pid)
	switch {
	case setting == chrome.SandboxNone && err != nil:
		return Sign{"sandbox", Warn, fmt.Sprintf("Chrome runs without one (%v): a page that breaks out of Chrome has this machine", err),
			"take render.sandbox: none out, and look again"}
	case err != nil:
		return Sign{"sandbox", Missing, fmt.Sprintf("Chrome (process %d) was started with one, and has none: %v", pid, err), "report it: pictifyd should not have started it"}
	}
	return Sign{Name: "sandbox", Health: Well, Says: fmt.Sprintf("Seccomp: 2 and another %s namespace, seen in %s of Chrome (process %d)",
		seen.Namespace, count(seen.Renderers, "renderer"), pid)}
}

// notStarted are the signs of a Chrome that is there and cannot be worked with.
func notStarted(path string, err error) []Sign {
	var p *problem.Error
	if errors.As(err, &p) && p.Slug == chrome.SlugNoSandbox {
		return []Sign{{Name: "Chrome", Health: Well, Says: path + " is there"}, signOf("sandbox", err)}
	}
	return []Sign{signOf("Chrome", err)}
}

// signOf is the sign of something that is missing.
func signOf(name string, err error) Sign {
	var p *problem.Error
	if !errors.As(err, &p) {
		return Sign{Name: name, Health: Missing, Says: err.Error()}
	}
	bare := *p
	bare.Hint = ""
	return Sign{name, Missing, bare.Error(), p.Hint}
}

// noFiles is a library without assets.
type noFiles struct{}

func (noFiles) Open(context.Context, string) (io.ReadCloser, string, error) {
	return nil, "", fs.ErrNotExist
}
