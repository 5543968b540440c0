"""Cut the public text files into the parts that docs/models.md reports on."""
import csv, gzip, json, os, random, sys
D, O = (sys.argv[1].rstrip('/') + '/', sys.argv[2].rstrip('/') + '/')
os.makedirs(O, exist_ok=True)
rows=list(csv.reader(open(D+'banking77_train.csv',newline='')))
h,rows=rows[0],rows[1:]
random.Random(1).shuffle(rows)
k=1500
for n,part in (('banking_test',rows[:k]),('banking_train',rows[k:])):
    w=csv.writer(open(O+n+'.csv','w',newline='')); w.writerow(h); w.writerows(part)
c=json.load(open(D+'clinc150_train.json'))
def jl(n,rs):
    with open(O+n,'w') as f:
        for t,l in rs: f.write(json.dumps({'text':t,'label':l},ensure_ascii=False)+'\n')
jl('clinc_train.jsonl',c['train']); jl('clinc_val_oos.jsonl',c['val']+c['oos_val']+c['oos_train'])
jl('clinc_train_oos.jsonl',c['train']+c['oos_train']); jl('clinc_test_oos.jsonl',c['val']+c['oos_val'])
m=json.load(open(D+'cmrc2018_trial.json'))
with open(O+'c.jsonl','w') as f, open(O+'q.jsonl','w') as g:
    for a in m['data']:
        for p in a['paragraphs']:
            f.write(json.dumps({'id':p['id'],'text':p['context']},ensure_ascii=False)+'\n')
            for q in p['qas']: g.write(json.dumps({'text':q['question'],'relevant':[p['id']]},ensure_ascii=False)+'\n')
# SST-2: hold out 900 long phrases that no other holds, with all their phrases of 3 words or more
rows=[l.rstrip('\n').split('\t') for l in gzip.open(D+'sst2_train.tsv.gz','rt')][1:]
rows=[(a.strip(),b) for a,b in rows]
al='\n'+'\n'.join(a for a,_ in rows)+'\n'
long=[i for i,(a,_) in enumerate(rows) if len(a.split())>=8]
random.Random(1).shuffle(long)
held=[]
for i in long:
    if len(held)==900: break
    if al.count(rows[i][0])==1: held.append(i)
hs=set(held); hall='\n '+' \n '.join(rows[i][0] for i in held)+' \n'
with open(O+'sst_test.tsv','w') as f, open(O+'sst_train.tsv','w') as g:
    f.write('sentence\tlabel\n'); g.write('sentence\tlabel\n')
    for i,(a,b) in enumerate(rows):
        if i in hs: f.write(a+'\t'+b+'\n')
        elif len(a.split())<3 or ' '+a+' ' not in hall: g.write(a+'\t'+b+'\n')
