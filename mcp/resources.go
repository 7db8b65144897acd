package mcp

import (
	"context"
	"net/url"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/pictifyd/pictifyd/docs"
)

const (
	docsURI     = "pictifyd://docs/"
	templateURI = "pictifyd://templates/"
	draftPart   = "/draft"

	listedTemplates = 200
)

func (s *Server) addResources() {
	for _, p := range docs.Pages() {
		s.server.AddResource(&sdk.Resource{
			URI: docsURI + p.Name, Name: "docs/" + p.Name, Title: p.Title, Description: p.About, MIMEType: "text/markdown", Size: int64(len(p.Text)),
		}, s.readDocs)
	}
	s.server.AddResourceTemplate(&sdk.ResourceTemplate{
		URITemplate: templateURI + "{name}", Name: "template", Title: "A template's newest version", MIMEType: "text/html",
		Description: "The HTML of the newest version." + untrusted,
	}, s.readTemplate)
	s.server.AddResourceTemplate(&sdk.ResourceTemplate{
		URITemplate: templateURI + "{name}" + draftPart, Name: "draft", Title: "A template's draft", MIMEType: "text/html",
		Description: "The HTML of the draft as it stands." + untrusted,
	}, s.readTemplate)
}

// readDocs reads a page from the daemon, whose version it is of.
func (s *Server) readDocs(ctx context.Context, req *sdk.ReadResourceRequest) (*sdk.ReadResourceResult, error) {
	data, err := s.fetch(ctx, read("docs", strings.TrimPrefix(req.Params.URI, docsURI)))
	if err != nil {
		return nil, refused(err)
	}
	return contents(req.Params.URI, "text/markdown", string(data)), nil
}

func (s *Server) readTemplate(ctx context.Context, req *sdk.ReadResourceRequest) (*sdk.ReadResourceResult, error) {
	escaped, ofDraft := strings.CutSuffix(strings.TrimPrefix(req.Params.URI, templateURI), draftPart)
	name, err := url.PathUnescape(escaped)
	if err != nil {
		return nil, sdk.ResourceNotFoundError(req.Params.URI)
	}
	if ofDraft {
		var got struct {
			Draft struct {
				HTML string `json:"html"`
			} `json:"draft"`
		}
		if err := s.ask(ctx, read("templates", name, "draft"), &got); err != nil {
			return nil, refused(err)
		}
		return contents(req.Params.URI, "text/html", got.Draft.HTML), nil
	}
	var got struct {
		Template struct {
			HTML string `json:"html"`
		} `json:"template"`
	}
	if err := s.ask(ctx, read("templates", name), &got); err != nil {
		return nil, refused(err)
	}
	return contents(req.Params.URI, "text/html", got.Template.HTML), nil
}

func contents(uri, media, text string) *sdk.ReadResourceResult {
	return &sdk.ReadResourceResult{Contents: []*sdk.ResourceContents{{URI: uri, MIMEType: media, Text: text}}}
}

// withTemplates lists the templates that the caller may read beside the pages.
func (s *Server) withTemplates(next sdk.MethodHandler) sdk.MethodHandler {
	return func(ctx context.Context, method string, req sdk.Request) (sdk.Result, error) {
		res, err := next(ctx, method, req)
		list, ok := res.(*sdk.ListResourcesResult)
		if err != nil || !ok || list.NextCursor != "" {
			return res, err
		}
		found, err := s.listTemplates(ctx, listTemplatesIn{page: page{Limit: listedTemplates}})
		if err != nil {
			return res, nil // the key may not read them; the pages are there all the same
		}
		shown := *list
		for _, t := range found.Templates {
			shown.Resources = append(shown.Resources, &sdk.Resource{
				URI: templateURI + url.PathEscape(t.Name), Name: "templates/" + t.Name, Title: t.Name, Description: "A template: its HTML.", MIMEType: "text/html",
			})
		}
		return &shown, nil
	}
}
