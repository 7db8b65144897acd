import{Q as a}from"./index-BXfSrg_-.js";import{t as r}from"./editor-Dnh36f3N.js";const s=a(null);function n(t,o){s.value={from:t,to:o},r.strip.value="Source"}export{n as t,s as w};
