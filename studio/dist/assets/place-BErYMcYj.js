import{Q as a}from"./index-MM-2MDLe.js";import{t as r}from"./editor-Behji_vw.js";const s=a(null);function n(t,o){s.value={from:t,to:o},r.strip.value="Source"}export{n as t,s as w};
