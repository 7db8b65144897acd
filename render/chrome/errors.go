package chrome

import (
	"errors"
	"io/fs"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/render"
)

// The slugs of the problems that a Pool raises.
const (
	SlugAssetFailed   = "asset_failed"   // an image, font or style sheet of the page is missing or broken
	SlugRenderTimeout = "render_timeout" // the page was not ready in time, twice
	SlugRenderCrashed = "render_crashed" // the page took its Chrome down, twice
	SlugRenderFailed  = "render_failed"  // the page can't be drawn
	SlugRenderSize    = "render_size"    // the picture is too small or too large to be one
	SlugRenderFrames  = "render_frames"  // the moving picture has too many frames
	SlugRenderBytes   = "render_bytes"   // no encoding brings the picture below its limit of bytes
	SlugRenderPages   = "render_pages"   // the document has too many pages
	SlugChromeMissing = "chrome_missing" // this machine has no Chrome
	SlugNoSandbox     = "chrome_sandbox" // this machine's Chrome has no usable sandbox
	SlugChromeStart   = "chrome_start"   // this machine's Chrome does not work
)

// ErrClosed is the answer of a Pool that was closed.
var ErrClosed = errors.New("the Chrome pool is closed")

// Why a try ended that may go better elsewhere.
var (
	errTabCrashed  = errors.New("the tab crashed")
	errTabGone     = errors.New("the tab is gone")
	errHung        = errors.New("the page was not ready in time")
	errBrowserDied = errors.New("Chrome died")
	errTogether    = errors.New("one of the pictures that were drawn together failed")
	errBystander   = errors.New("Chrome was ended because of another picture")
)

// assetsFailed is the row's permanent error for files that it can't show.
func assetsFailed(paths []string) error {
	return retry.Permanent(problem.New(problem.Invalid, "%w", &render.AssetError{Paths: paths}).WithSlug(SlugAssetFailed).
		WithHint("check that the file exists and is an image, font or style sheet that Chrome can read"))
}

// pageFault is the row's permanent error for a document that can't be drawn.
func pageFault(err error) error {
	return retry.Permanent(problem.New(problem.Invalid, "the page can't be drawn: %w", err).WithSlug(SlugRenderFailed))
}

// twice is the permanent error for a row whose second try, alone in another
// Chrome, ended as badly.
func twice(err error) error {
	if errors.Is(err, errHung) {
		return retry.Permanent(problem.New(problem.Timeout, "the page was not ready in time, twice").WithSlug(SlugRenderTimeout).
			WithHint("look for very large filters, shadows, tables or images in the page"))
	}
	return retry.Permanent(problem.New(problem.Invalid, "the page made Chrome crash, twice: %w", err).WithSlug(SlugRenderCrashed).
		WithHint("look for very large filters, shadows, tables or images in the page"))
}

// notFound reports that an asset does not exist, as opposed to can't be read now.
func notFound(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || problem.CodeOf(err) == problem.NotFound
}

// isCrash reports that a try ended with its tab or browser.
func isCrash(err error) bool {
	return errors.Is(err, errTabCrashed) || errors.Is(err, errTabGone) || errors.Is(err, errBrowserDied) || errors.Is(err, errHung)
}
