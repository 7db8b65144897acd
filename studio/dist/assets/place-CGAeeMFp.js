import{Q as a}from"./index-C0DnxLyI.js";import{t as r}from"./editor-CyD1bI9w.js";const s=a(null);function n(t,o){s.value={from:t,to:o},r.strip.value="Source"}export{n as t,s as w};
