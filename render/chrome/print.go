package chrome

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/render/pdf"
)

//go:embed print.js
var printScript string

const (
	// maxSheets is how many pages are printed at a time. More of them gain little,
	// and cost memory.
	maxSheets = 25
	// maxPages is how many pages a PDF may have.
	maxPages = 1000
	// shrink is the size at which pages are printed, to be enlarged again in the
	// file: Chrome draws shadows and filters at 300 dots per inch of the print, and
	// at 150 of the page that is four times as fast and more than a screen shows.
	// Texts and pictures are not drawn, and keep all that they have.
	shrink = 0.5
	// maxPaper is the longest edge of a page that every reader opens, in pixels.
	maxPaper = 200 * 96
)

// checkPrint is the reason why r can't be printed.
func checkPrint(r render.Request) error {
	if err := r.Print.Validate(); err != nil {
		return retry.Permanent(err)
	}
	if len(r.Sheets)+1 > maxPages {
		return retry.Permanent(problem.New(problem.TooLarge, "the document has %d pages, more than the %d that a PDF may have", len(r.Sheets)+1, maxPages).
			WithSlug(SlugRenderPages).WithHint("give the list that makes pages a p-limit, or split the row"))
	}
	for i, s := range sheetsOf(r) {
		if s.HTML == "" {
			return retry.Permanent(problem.New(problem.TooLarge, "page %d has no document: those before it are too long together", i+1).
				WithSlug(SlugRenderPages).WithHint("put styles and drawings that all pages share into files of assets/"))
		}
		if err := checkSize(s.Width, s.Height); err != nil {
			return err
		}
		paper, _, _, _ := r.Print.Place(s.Width, s.Height)
		if max(paper[0], paper[1]) > maxPaper {
			return retry.Permanent(problem.New(problem.Invalid, "paper of %.0fx%.0f pixels is too large", paper[0], paper[1]).
				WithSlug(SlugRenderSize).WithHint("use edges of at most %d pixels, 200 inches", maxPaper))
		}
	}
	return nil
}

// sheetsOf are all pages of r.
func sheetsOf(r render.Request) []render.Sheet {
	return append([]render.Sheet{{HTML: r.HTML, Width: r.Width, Height: r.Height}}, r.Sheets...)
}

// stock makes the tab one of sheets. Pages are to look like their pictures, so
// they are printed as screens show them.
func (s *session) stock(ctx context.Context) error {
	if err := s.evaluate(ctx, printScript); err != nil {
		return fmt.Errorf("load the print script: %w", err)
	}
	media := emulation.SetEmulatedMediaParams{Media: "screen"}
	if err := s.tab.Call(ctx, emulation.SetEmulatedMedia.Method, media, nil); err != nil {
		return fmt.Errorf("print as on a screen: %w", err)
	}
	return nil
}

// A printJob is a request on its way to a file.
type printJob struct {
	request render.Request
	sheets  []printSheet
	missing int // sheets that were not printed yet
}

// A printSheet is a page of a job, with what came of it.
type printSheet struct {
	render.Sheet
	paths []string // of its files
	drawn drawnSheet
	page  *pdf.Page
	spent render.Stages // together with the sheets that it was printed with
}

// A drawnSheet is what the print script says of a sheet.
type drawnSheet struct {
	Row      *prepared `json:"row"`
	Title    string    `json:"title"`
	Language string    `json:"language"`
	Error    string    `json:"error"`
}

// A scriptSheet is a page as the print script takes it.
type scriptSheet struct {
	scriptRow
	Width  int `json:"width"`
	Height int `json:"height"`
}

// print makes files of requests, which share the tab's page, with the pages of
// several in one print. each is called with how each came out, as soon as that is
// known; those for which it was not called when print returns shared its error.
//
// The first print of a tab is proven: what came of its first request is held
// against the file that the request makes alone. Where they differ, or where a
// font can't be taken apart, each request is printed alone from then on.
func (s *session) print(ctx context.Context, requests []render.Request, each func(i int, out render.Output, err error)) error {
	ctx, cancel := s.until(ctx)
	defer cancel()
	if err := s.printAll(ctx, requests, each); err != nil {
		return causeOf(ctx, err)
	}
	return nil
}

func (s *session) printAll(ctx context.Context, requests []render.Request, each func(i int, out render.Output, err error)) error {
	var assets []render.Asset
	for _, r := range requests {
		assets = append(assets, r.Assets...)
	}
	if err := s.origin.admit(assets); err != nil {
		return err
	}
	if len(requests) == 1 || s.prints == separate {
		for i, r := range requests {
			out, _, err := s.printAlone(ctx, r)
			if err != nil && !retry.IsPermanent(err) {
				return err
			}
			each(i, out, err)
		}
		return nil
	}
	return s.printTogether(ctx, requests, each)
}

// Whether requests of a tab's page may share a print.
type printState int

const (
	unproven printState = iota
	together
	separate
)

// printTogether prints requests in as few prints as there is room for.
func (s *session) printTogether(ctx context.Context, requests []render.Request, each func(i int, out render.Output, err error)) error {
	jobs := make([]*printJob, len(requests))
	for i, r := range requests {
		jobs[i] = newPrintJob(r)
	}
	return s.printJobs(ctx, jobs, func(i int) error {
		out, whole, err := s.bind(jobs[i])
		if err == nil && (whole || s.prints != together) {
			out, err = s.proven(ctx, jobs[i].request, out, whole)
		}
		if err != nil && !retry.IsPermanent(err) {
			return err
		}
		each(i, out, err)
		return nil
	})
}

// proven is the file that a request makes alone, held against the one that was
// made of a print of several.
func (s *session) proven(ctx context.Context, r render.Request, out render.Output, whole bool) (render.Output, error) {
	alone, _, err := s.printAlone(ctx, r)
	if err != nil {
		return out, err
	}
	switch {
	case whole || !bytes.Equal(alone.Bytes, out.Bytes):
		s.prints = separate
	case s.prints == unproven:
		s.prints = together
	}
	return alone, nil
}

// printAlone prints one request. whole says that a file made of a print of several
// would have had glyphs of others.
func (s *session) printAlone(ctx context.Context, r render.Request) (out render.Output, whole bool, err error) {
	job := newPrintJob(r)
	err = s.printJobs(ctx, []*printJob{job}, func(int) (err error) {
		out, whole, err = s.bind(job)
		return err
	})
	return out, whole, err
}

func newPrintJob(r render.Request) *printJob {
	j := &printJob{request: r}
	paths := rowOf(r).Paths
	for _, sheet := range sheetsOf(r) {
		j.sheets = append(j.sheets, printSheet{Sheet: sheet, paths: paths})
	}
	j.missing = len(j.sheets)
	return j
}

// printJobs prints the sheets of all jobs, and calls done for each job when its
// last one is there.
func (s *session) printJobs(ctx context.Context, jobs []*printJob, done func(i int) error) error {
	type place struct{ job, sheet int }
	var batch []place
	flush := func() error {
		sheets := make([]*printSheet, len(batch))
		for k, at := range batch {
			sheets[k] = &jobs[at.job].sheets[at.sheet]
		}
		if err := s.printSheets(ctx, sheets); err != nil {
			return err
		}
		finished := batch
		batch = nil
		for _, at := range finished {
			if jobs[at.job].missing--; jobs[at.job].missing == 0 {
				if err := done(at.job); err != nil {
					return err
				}
				jobs[at.job].sheets = nil
			}
		}
		return nil
	}
	for i, job := range jobs {
		for k := range job.sheets {
			if batch = append(batch, place{i, k}); len(batch) == maxSheets {
				if err := flush(); err != nil {
					return err
				}
			}
		}
	}
	if len(batch) > 0 {
		return flush()
	}
	return nil
}

// printSheets draws sheets and prints those that could be drawn.
func (s *session) printSheets(ctx context.Context, sheets []*printSheet) error {
	began := time.Now()
	if err := s.drawSheets(ctx, sheets); err != nil {
		return err
	}
	spent := render.Stages{Prepare: time.Since(began)}
	began = time.Now()
	var shown []*printSheet
	for _, sheet := range sheets {
		if sheet.drawn.Row != nil && len(sheet.drawn.Row.Failed) == 0 {
			shown = append(shown, sheet)
		}
	}
	if len(shown) == 0 {
		return nil
	}
	data, err := s.printToPDF(ctx)
	if err != nil {
		return err
	}
	file, err := pdf.Open(data)
	if err != nil {
		return fmt.Errorf("read Chrome's PDF: %w", err)
	}
	pages := file.Pages()
	if len(pages) != len(shown) {
		return fmt.Errorf("Chrome made %d pages of %d", len(pages), len(shown))
	}
	spent.Paint = time.Since(began)
	for i, p := range pages {
		shown[i].page, shown[i].spent = p, spent
	}
	return nil
}

func (s *session) drawSheets(ctx context.Context, sheets []*printSheet) error {
	job := struct {
		Shrink float64       `json:"shrink"`
		Sheets []scriptSheet `json:"sheets"`
	}{Shrink: shrink}
	for _, sheet := range sheets {
		job.Sheets = append(job.Sheets, scriptSheet{scriptRow{HTML: sheet.HTML, Paths: sheet.paths}, sheet.Width, sheet.Height})
	}
	text, err := json.Marshal(job)
	if err != nil {
		return fmt.Errorf("encode the sheets: %w", err)
	}
	answer, err := s.call(ctx, `(job) => globalThis.pictifydPrint(job)`, text)
	if thrown := (*chromedp.ExceptionError)(nil); errors.As(err, &thrown) {
		return pageFault(err)
	}
	if err != nil {
		return fmt.Errorf("put sheets into the page: %w", err)
	}
	var drawn []drawnSheet
	if err := json.Unmarshal(answer, &drawn); err != nil {
		return fmt.Errorf("read the print script's answer: %w", err)
	}
	if len(drawn) != len(sheets) {
		return fmt.Errorf("the print script tells of %d sheets, not of %d", len(drawn), len(sheets))
	}
	for i := range drawn {
		sheets[i].drawn = drawn[i]
	}
	return nil
}

// printToPDF prints the tab as it is. Tags and an outline would cost time and
// bytes, and say where texts stand in a document that a page of layers is not.
func (s *session) printToPDF(ctx context.Context) ([]byte, error) {
	yes, no, none := true, false, 0.0
	res, err := cdp.Call(ctx, s.tab, page.PrintToPDF, page.PrintToPDFParams{
		PrintBackground: &yes, PreferCSSPageSize: &yes, GenerateTaggedPDF: &no, GenerateDocumentOutline: &no, Scale: shrink,
		MarginTop: &none, MarginRight: &none, MarginBottom: &none, MarginLeft: &none,
	})
	if err != nil {
		return nil, fmt.Errorf("print the page: %w", err)
	}
	return res.Data, nil
}

// bind makes the file of a job whose sheets are all printed.
func (s *session) bind(job *printJob) (out render.Output, whole bool, err error) {
	began := time.Now()
	var file bytes.Buffer
	w := pdf.NewWriter(&file)
	w.Link = s.leadsOut
	r := job.request
	out = render.Output{Width: r.Width, Height: r.Height, Stages: job.sheets[0].spent, Lane: lanePrint}
	for _, sheet := range job.sheets {
		if err := s.judgeSheet(sheet, r); err != nil {
			return render.Output{}, false, err
		}
		page := sheet.drawn.Row.output(r, nil)
		out.Layout, out.Warnings = append(out.Layout, page.Layout...), append(out.Warnings, page.Warnings...)
		if err := w.Leaf(leafOf(sheet, r.Print)); err != nil {
			return render.Output{}, false, fmt.Errorf("bind the pages: %w", err)
		}
	}
	first := job.sheets[0].drawn
	info := pdf.Info{Title: r.Print.Title, Language: first.Language}
	if info.Title == "" {
		info.Title = first.Title
	}
	if err := w.Close(info); err != nil {
		return render.Output{}, false, fmt.Errorf("bind the pages: %w", err)
	}
	out.Bytes = file.Bytes()
	out.Stages.Encode = time.Since(began)
	if r.MaxBytes > 0 && int64(file.Len()) > r.MaxBytes {
		return render.Output{}, false, tooManyBytes(r, int64(file.Len()))
	}
	return out, w.Whole(), nil
}

// judgeSheet is the reason why a sheet can't be in a file.
func (s *session) judgeSheet(sheet printSheet, r render.Request) error {
	if sheet.drawn.Error != "" {
		return pageFault(errors.New(sheet.drawn.Error))
	}
	if sheet.drawn.Row == nil {
		return errors.New("the print script sent no report")
	}
	r.Width, r.Height = sheet.Width, sheet.Height
	return s.judge(*sheet.drawn.Row, r)
}

// leafOf is a sheet on its paper.
func leafOf(sheet printSheet, p render.Print) pdf.Leaf {
	paper, scale, left, top := p.Place(sheet.Width, sheet.Height)
	return pdf.Leaf{
		Page: sheet.page, Width: pdf.Points(float64(sheet.Width)) * shrink, Height: pdf.Points(float64(sheet.Height)) * shrink,
		Paper: [2]float64{pdf.Points(paper[0]), pdf.Points(paper[1])}, Scale: scale / shrink, Left: pdf.Points(left), Top: pdf.Points(top),
	}
}

// leadsOut reports whether a link leads to somewhere: one without a host of its own
// would lead to the tab's origin.
func (s *session) leadsOut(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Host != s.origin.host && pdf.Public(address)
}

// firstSheets are the first of rows, as many as go into one print.
func firstSheets(rows []*waiter) []*waiter {
	sheets := 0
	for i, w := range rows {
		if sheets += 1 + len(w.request.Sheets); sheets > maxSheets && i > 0 {
			return rows[:i]
		}
	}
	return rows
}
