package web

import (
	"fmt"
	"html/template"
)

// icons are drawn for this program on a grid of 16, as strokes.
var icons = map[string]string{
	"overview": `<circle cx="8" cy="8" r="5.5"/><path d="M8 2.5v3M13.5 8h-3M8 13.5v-3M2.500 8h3"/>`,
	"needs":    `<circle cx="8" cy="8" r="5.5"/><circle cx="8" cy="8" r="2.2"/><path d="M8 1v2.500M15 8h-2.500"/>`,
	"content":  `<path d="M2.500 3.500c2-.8 3.800-.6 5.500.5 1.700-1.100 3.500-1.300 5.500-.5v9c-2-.8-3.800-.6-5.500.5-1.700-1.100-3.500-1.300-5.500-.5zM8 4v9"/>`,
	"plan":     `<rect x="2.500" y="3.500" width="11" height="10" rx="1.500"/><path d="M2.500 6.500h11M5.500 2v3M10.500 2v3M5.500 9.500h2M5.500 11.500h5"/>`,
	"delivery": `<path d="M4.500 3v10l8-5z"/>`,
	"effect":   `<path d="M2.500 13.500h11M4.500 11V7.500M8 11V3M11.500 11V5.500M3.500 7.500h2M7 3h2M10.500 5.500h2"/>`,
	"voice":    `<path d="M2.500 3.500h11v7.500h-6l-3 2.500V11h-2zM5.500 6.500h5M5.500 8.500h3"/>`,
	"people":   `<circle cx="6" cy="5.500" r="2.500"/><path d="M1.500 13.500c.3-2.800 2-4.200 4.500-4.200s4.200 1.400 4.500 4.200M10.500 3.200a2.400 2.400 0 0 1 0 4.600M12 9.800c1.500.5 2.300 1.800 2.500 3.700"/>`,
	"team":     `<circle cx="8" cy="4.500" r="2.200"/><circle cx="3.500" cy="11" r="1.800"/><circle cx="12.500" cy="11" r="1.800"/><path d="M7 6.500l-2.500 3M9 6.500l2.500 3M5.500 11h5"/>`,
	"desk":     `<path d="M3 9.500V8a5 5 0 0 1 10 0v1.500M3 9.500h2v3H3.500zM13 9.500h-2v3h1.500zM12.500 12.500c0 1.300-1.500 1.800-3.500 1.800"/>`,
	"today":    `<circle cx="8" cy="8" r="2.600"/><path d="M8 1.500v1.500M8 13v1.500M1.500 8H3M13 8h1.500M3.400 3.400l1.100 1.100M11.500 11.500l1.100 1.100M3.400 12.600l1.100-1.100M11.500 4.500l1.100-1.100"/>`,
	"learn":    `<path d="M1.500 6 8 3l6.500 3L8 9zM4.500 7.500v3.700c2.300 1.700 4.700 1.700 7 0V7.500M14.500 6v4"/>`,
	"review":   `<path d="M13 8a5 5 0 1 1-1.600-3.700M13 2v3h-3M8 5.500V8l1.800 1.200"/>`,
	"me":       `<circle cx="8" cy="5.500" r="2.700"/><path d="M2.800 13.800c.5-2.900 2.400-4.300 5.200-4.300s4.700 1.400 5.200 4.300"/>`,
	"admin":    `<path d="M2.500 4.500h6M12 4.500h1.500M2.500 11.500H4M7.500 11.500h6"/><circle cx="10.200" cy="4.500" r="1.700"/><circle cx="5.800" cy="11.500" r="1.700"/>`,
	"search":   `<circle cx="7" cy="7" r="4.200"/><path d="m10.200 10.200 3.300 3.300"/>`,
	"light":    `<circle cx="8" cy="8" r="2.800"/><path d="M8 1.500V3M8 13v1.500M1.500 8H3M13 8h1.500M3.400 3.400l1 1M11.600 11.600l1 1M3.400 12.600l1-1M11.600 4.400l1-1"/>`,
	"dark":     `<path d="M13.500 9.600A5.800 5.800 0 0 1 6.400 2.500a5.800 5.800 0 1 0 7.100 7.100z"/>`,
	"system":   `<rect x="2" y="3" width="12" height="8" rx="1.200"/><path d="M6 13.500h4M8 11v2.500"/>`,
	"language": `<path d="M2 4h7M5.500 2.500V4M7.500 4c-.7 2.500-2.500 4.500-5 5.500M3.700 6c.8 1.600 2 2.700 3.800 3.500M8 13.500l3-7 3 7M9 11.500h4"/>`,
	"down":     `<path d="m4 6.500 4 4 4-4"/>`,
	"right":    `<path d="m6.500 4 4 4-4 4"/>`,
	"left":     `<path d="m9.500 4-4 4 4 4"/>`,
	"more":     `<path d="M3.500 8h.01M8 8h.01M12.500 8h.01" stroke-width="2.600"/>`,
	"check":    `<path d="m3 8.500 3.200 3.200L13 5"/>`,
	"warn":     `<path d="M8 2.500 14 13H2zM8 6.500v3M8 11.300v.01"/>`,
	"bad":      `<circle cx="8" cy="8" r="5.500"/><path d="m6 6 4 4M10 6l-4 4"/>`,
	"info":     `<circle cx="8" cy="8" r="5.500"/><path d="M8 7.500V11M8 5.200v.01"/>`,
	"plus":     `<path d="M8 3.500v9M3.500 8h9"/>`,
	"close":    `<path d="m4 4 8 8M12 4l-8 8"/>`,
	"out":      `<path d="M6.500 2.500h-4v11h4M10 5l3 3-3 3M13 8H6"/>`,
	"clock":    `<circle cx="8" cy="8" r="5.500"/><path d="M8 4.800V8l2.200 1.500"/>`,
	"up":       `<path d="M8 13V3.500M4 7.500l4-4 4 4"/>`,
	"fall":     `<path d="M8 3v9.500M4 8.500l4 4 4-4"/>`,
	"lock":     `<rect x="3.500" y="7" width="9" height="6.500" rx="1.200"/><path d="M5.500 7V5a2.500 2.500 0 0 1 5 0v2"/>`,
	"file":     `<path d="M4 2h5l3 3v9H4zM9 2v3h3"/>`,
	"download": `<path d="M8 2.500v7.500M4.500 7 8 10.500 11.500 7M3 13.500h10"/>`,
	"upload":   `<path d="M8 10.500V3M4.500 6 8 2.500 11.500 6M3 13.500h10"/>`,
	"filter":   `<path d="M2.500 3.500h11L9.500 8.500v4l-3 1.500v-5.500z"/>`,
	"keys":     `<rect x="1.500" y="4" width="13" height="8" rx="1.200"/><path d="M4 6.500h.01M6.500 6.500h.01M9 6.500h.01M11.500 6.500h.01M5 9.500h6"/>`,
	"evidence": `<path d="M3 3.500h10M3 6.500h10M3 9.500h5M3 12.500h4"/><path d="m10 11.500 1.500 1.500 2.500-3"/>`,
	"dice":     `<rect x="2.500" y="2.500" width="11" height="11" rx="2"/><path d="M5.500 5.500h.01M10.500 5.500h.01M8 8h.01M5.500 10.500h.01M10.500 10.500h.01" stroke-width="2"/>`,
	"award":    `<circle cx="8" cy="6" r="3.500"/><path d="M6 9 5 14l3-1.500L11 14l-1-5"/>`,
}

// icon draws an icon. It is decoration: words stand beside it or in its link's label.
func icon(name string) (template.HTML, error) {
	body, ok := icons[name]
	if !ok {
		return "", fmt.Errorf("web: there is no icon %q", name)
	}
	return template.HTML(`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">` + body + `</svg>`), nil
}
