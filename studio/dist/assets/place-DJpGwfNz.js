import{Q as a}from"./index-Bk7rG15C.js";import{t as r}from"./editor-BIVjOtxl.js";const s=a(null);function n(t,o){s.value={from:t,to:o},r.strip.value="Source"}export{n as t,s as w};
