-- Takes a job that is due for another try, or else one whose worker has died.
-- KEYS: mail, mail:later; ARGV: worker, lease in ms, prefix of what is known of a job
local mail, later = KEYS[1], KEYS[2]
local worker, lease, known = ARGV[1], ARGV[2], ARGV[3]

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local id = redis.call('ZRANGEBYSCORE', later, '-inf', now, 'LIMIT', 0, 1)[1]
if id then
    redis.call('ZREM', later, id)
else
    local pending = redis.call('XPENDING', mail, 'senders', 'IDLE', lease, '-', '+', 1)[1]
    if not pending then return false end
    id = pending[1]
end
local entry = redis.call('XCLAIM', mail, 'senders', worker, 0, id, 'FORCE')[1]
if not entry then
    -- Somebody has deleted it.
    redis.call('XACK', mail, 'senders', id)
    redis.call('DEL', known .. id)
    return false
end
return { entry[1], entry[2], redis.call('HGETALL', known .. id) }
