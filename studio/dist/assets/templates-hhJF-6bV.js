import{p as l,q as g,v as f,w,u as e,M as h,c as m,d as p,A as k,S as D,m as T,I as z,T as q,D as O,t as S}from"./index-CVZf_WlA.js";import{u as y}from"./load-DXvzOVEK.js";const N=(t,s,a={})=>l`/templates/${t}/versions/${s}/picture`+g({size:a.size,theme:a.theme}),E=t=>l`/studio/templates/${t}/edit`,L=t=>`<!doctype html>
<html lang="en" p-version="1">
<head>
<meta charset="utf-8">
<title>${t}</title>
<script type="application/json" id="p-template">
{
  "name": ${JSON.stringify(t)},
  "sizes": { "default": { "w": 1200, "h": 630 } },
  "vars": {}
}
<\/script>
<style>
  #page { background: #ffffff; }
</style>
</head>
<body>
<section id="page" class="p-page" p-name="Page"></section>
</body>
</html>
`;async function j(t,s){await f("/templates",{method:"POST",body:s?{name:t,from:s}:{name:t,html:L(t)}})}async function x(t,s){const a=await(await w(l`/templates/${t}/archive.zip`)).blob();await f(`/templates${g({name:s})}`,{method:"POST",body:new Blob([a],{type:"application/zip"}),type:"application/zip"})}function I(t,s){const a=new Set(s.map(i=>i.uid));if(!a.has(t))return t;for(let i=2;;i++)if(!a.has(`${t}-${i}`))return`${t}-${i}`}function M(t,s){const a=y(l`/templates/${t}`,[s]);return{...a,data:a.data?.template,set:()=>{}}}const A=(t,s)=>y(l`/templates/${t}/draft`,[s]);function F({name:t,version:s}){const{data:a,error:i}=A(t,s);if(i!==void 0)return e(h,{level:"warn",children:"not checked"});if(!a)return e(h,{level:"quiet",children:"checking"});const{problems:n,open:o}=a.draft,r=n.filter(c=>c.fatal).length,u=r>0?m(r,"fault"):n.length>0?m(n.length,"hint"):"good",d=e(h,{level:r>0?"error":n.length>0?"warn":"ok",children:u});return e("span",{class:"row small",children:[o&&e("span",{class:"chip",children:"draft"}),n.length>0?e("a",{href:E(t),title:n.slice(0,3).map(c=>c.message).join(`
`),children:d}):d]})}function J({name:t,suggest:s,gone:a,made:i}){const[n,o]=p(!1);return e(D,{children:[e("button",{type:"button",class:"button plain",onClick:()=>o(!0),children:"Duplicate"}),e("a",{class:"button plain",href:l`/templates/${t}/archive.zip`,download:`${t}.zip`,children:"Export"}),e(k,{act:()=>f(l`/templates/${t}`,{method:"DELETE"}),done:`${t} is deleted`,then:a,kind:"danger",confirm:{title:`Delete ${t}?`,question:e("p",{children:"All of its versions and its draft go; this can’t be taken back. Pictures that were made of it stay. One that a binding uses is not deleted."})},children:"Delete"}),n&&e(C,{name:t,first:s(`${t}-copy`),close:()=>o(!1),made:i})]})}function C({name:t,first:s,close:a,made:i}){const[n,o]=p(s),[r,u]=p(),[d,c]=p(!1),b=async $=>{$.preventDefault(),c(!0);try{await x(t,n),S(`${n} is made`),a(),i(n)}catch(v){u(v),c(!1)}};return e(O,{title:`Duplicate ${t}`,close:a,children:e("form",{class:"stack",onSubmit:b,children:[e(T,{label:"Name of the new template",help:"Letters, digits, - and _.",children:e(z,{value:n,change:o,required:!0,autofocus:!0})}),r!==void 0&&e(q,{error:r}),e("div",{class:"actions",children:[e("button",{type:"button",class:"button",onClick:a,children:"Cancel"}),e("button",{type:"submit",class:"button strong",disabled:d,children:"Duplicate"})]})]})})}export{F as L,J as T,A as a,j as c,E as e,I as f,N as p,M as u};
